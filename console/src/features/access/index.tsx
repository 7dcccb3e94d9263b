/** Getting in: the one-time set-up and the sign-in. */
export { LoginPage } from './login';
export { SetupPage } from './setup';
