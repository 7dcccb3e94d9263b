/** Orders: what this tenant pays. */
export { OrderPage } from './order';
export { OrdersPage } from './list';
