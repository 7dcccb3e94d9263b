/** The audit log: what was done, by whom, and the proof that nothing was changed afterwards. */
export { PlatformAuditPage, TenantAuditPage } from './page';
