/** Message formatting: `{name}` inserts a value, `{n|# item|# items}` picks the English plural and puts the number in place of `#`. */

export type Locale = 'en' | 'zh';

/** The names of the placeholders in a message, so that a call with a missing one does not compile. */
export type Placeholders<S extends string> = S extends `${string}{${infer Inner}}${infer Rest}`
  ? (Inner extends `${infer Name}|${string}` ? Name : Inner) | Placeholders<Rest>
  : never;

export type Values = Record<string, string | number>;

const numberFormats: Record<Locale, Intl.NumberFormat> = {
  en: new Intl.NumberFormat('en-US'),
  zh: new Intl.NumberFormat('zh-CN'),
};

export function formatMessage(template: string, values: Values, locale: Locale): string {
  return template.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, other?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    const text = typeof value === 'number' ? numberFormats[locale].format(value) : value;
    if (one === undefined || other === undefined) return text;
    return (Number(value) === 1 ? one : other).replace('#', text);
  });
}
