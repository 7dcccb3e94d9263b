/** What operators let plugins do and use: ceilings over plugins, terms of plans and tenants, trust, budgets. */
export { CeilingsInTenant } from './ceiling/in-tenant';
export { OwnTerms } from './terms/own';
export { PlansPage } from './terms/plans';
export { Trust } from './trust';
export { PluginBudgetSection } from './budget';
