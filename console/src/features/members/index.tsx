/** The people of a tenant. */
export { MembersPage } from './list';
