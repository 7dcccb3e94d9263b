/** Tenants as the operator sees them. */
export { TenantLayout } from './layout';
export { TenantLimits } from './limits';
export { TenantsPage } from './list';
export { TenantSummary } from './summary';
