/** What was used, and how much may be. */
export { QuotasPage } from './quotas';
export { UsagePage } from './usage';
