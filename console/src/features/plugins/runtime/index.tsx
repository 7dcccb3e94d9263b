/** The plugin runtime as its operator sees it. */
export { HealthPage } from './health';
export { PublishersPage } from './publishers';
