/** Short names for the generated types. Everything comes from the OpenAPI document; nothing is declared twice. */
import type { components, operations } from './schema';

type Schemas = components['schemas'];
export type Operations = operations;
export type Meta = Schemas['Meta'];
export type Session = Schemas['Session'];
export type Connection = Schemas['Connection'];
export type Tenant = Schemas['Tenant'];
export type Domain = Schemas['Domain'];
export type Plugin = Schemas['Plugin'];
export type Route = Schemas['Route'];
export type Overview = Schemas['Overview'];
export type IsolationReport = Schemas['IsolationReport'];
export type IsolationCheck = Schemas['IsolationCheck'];
export type Job = Schemas['Job'];
export type User = Schemas['User'];
export type Installation = Schemas['Installation'];
export type Call = Schemas['PluginCall'];
export type CallDetail = Schemas['PluginCallDetail'];
export type Publisher = Schemas['Publisher'];
export type Consumer = Schemas['PluginConsumer'];
export type Release = Schemas['PluginRelease'];
export type ReleaseTally = Schemas['ReleaseTally'];
export type ReleaseDiff = Schemas['ReleaseDiff'];
export type StartRelease = Schemas['StartRelease'];
export type PluginCeiling = Schemas['PluginCeiling'];
export type PluginTerms = Schemas['PluginTerms'];
export type PluginBudget = Schemas['PluginBudget'];
export type GrantCut = Schemas['GrantCut'];
export type Finding = Schemas['CheckFinding'];
export type UsageSeries = Schemas['UsageSeries'];
export type Quota = Schemas['Quota'];
export type Order = Schemas['Order'];
export type Money = Schemas['Amount'];
export type ReportDefinition = Schemas['Report'];
export type ReportRun = Schemas['ReportRun'];
export type AuditEvent = Schemas['AuditEvent'];
export type AuditVerify = Schemas['Verification'];

/** A page of a list, as every list route answers it. */
export interface Page<T> {
  items: T[];
  next?: string | null;
  total?: number | null;
}
