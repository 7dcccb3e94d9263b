/** Tenants as the operator sees them. */
export { TenantLayout } from './layout';
export { TenantsPage } from './list';
export { TenantSummary } from './summary';
