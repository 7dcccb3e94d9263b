/** Reports: what can be run, and what was. */
export { ReportsPage } from './reports';
