/** Plugins: the host's catalogue (operator) and what is enabled in a tenant. */
export { CataloguePage } from './catalogue';
export { EnablePage } from './enable';
export { InstallationPage } from './installation';
export { InstallationsPage } from './installations';
export { PluginPage } from './plugin';
