/** Plugins: the host's catalogue (operator) and what is enabled in a tenant. */
export { CataloguePage } from './catalogue/list';
export { PluginPage } from './catalogue/plugin';
export { EnablePage } from './installed/enable';
export { InstallationPage } from './installed/installation';
export { InstallationsPage } from './installed/list';
