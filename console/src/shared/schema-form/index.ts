/** Forms from JSON Schema. */
export { SchemaForm, type SecretState } from './form';
export type { JsonObject, Schema } from './schema';
export { defaultsOf, validate, visibleValue } from './values';
