import { fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { describe, expect, it } from 'vitest';
import type { FieldProblem } from '@/api/problem';
import { SchemaForm, type JsonObject, type Schema } from '@/shared/schema-form';
import { missingSecrets, secretsOf, withSecrets } from '@/features/plugins/parts/manifest';

let latest: JsonObject = {};
let secrets: Record<string, string> = {};

function Host({ schema, start = {}, errors, stored = [] }: { schema: Schema; start?: JsonObject; errors?: FieldProblem[]; stored?: string[] }) {
  const [value, setValue] = useState<JsonObject>(start);
  const [typed, setTyped] = useState<Record<string, string>>({});
  latest = value;
  secrets = typed;
  return <SchemaForm schema={schema} value={value} onChange={setValue} errors={errors} secrets={{ stored: new Set(stored), typed, onType: (n, v) => setTyped((all) => ({ ...all, [n]: v ?? '' })) }} />;
}

describe('the form', () => {
  it('ties labels to controls and writes values', async () => {
    render(<Host schema={{ type: 'object', required: ['issuer'], properties: { issuer: { type: 'string', title: 'Issuer' }, pkce: { type: 'boolean', title: 'Use PKCE' }, n: { type: 'integer', title: 'Leeway' } } }} />);
    await userEvent.type(screen.getByLabelText('Issuer'), 'https://idp');
    await userEvent.click(screen.getByRole('switch'));
    fireEvent.change(screen.getByRole('spinbutton'), { target: { value: '30' } });
    expect(latest).toEqual({ issuer: 'https://idp', pkce: true, n: 30 });
    await userEvent.clear(screen.getByLabelText('Issuer'));
    expect(latest).not.toHaveProperty('issuer');
  });

  it('shows a field only while its condition holds', async () => {
    render(<Host schema={{ type: 'object', required: ['mode'], properties: { mode: { type: 'string', enum: ['key', 'cert'] }, cert: { type: 'string', title: 'Certificate', 'x-aistack': { 'show-if': { mode: 'cert' } } } } }} start={{ mode: 'key' }} />);
    expect(screen.queryByText('Certificate')).toBeNull();
    await userEvent.click(screen.getByText('cert'));
    expect(screen.getByText('Certificate')).toBeTruthy();
  });

  it('puts the server’s errors beside the fields they speak of', () => {
    render(
      <Host
        schema={{ type: 'object', properties: { a: { type: 'string', title: 'A' }, deep: { type: 'object', title: 'Deep', properties: { b: { type: 'string', title: 'B' } } }, list: { type: 'array', items: { type: 'string' }, title: 'L' } } }}
        start={{ deep: {}, list: ['x', 'y'] }}
        errors={[
          { pointer: '/deep/b', code: 'x', message: 'b is wrong' },
          { pointer: '/list/1', code: 'x', message: 'second is wrong' },
          { pointer: '', code: 'x', message: 'all is wrong' },
        ]}
      />,
    );
    expect(within(document.querySelector('[data-pointer="/deep/b"]') as HTMLElement).getByRole('alert').textContent).toBe('b is wrong');
    expect(screen.getByLabelText(/^B/).getAttribute('aria-invalid')).toBe('true');
    expect(within(document.querySelector('[data-pointer="/list"]') as HTMLElement).getByRole('alert').textContent).toBe('second is wrong');
    expect(document.querySelector('[data-pointer="/a"] [role=alert]')).toBeNull();
    expect(screen.getByText('all is wrong')).toBeTruthy();
  });

  it('never shows a stored secret and replaces it only on demand', async () => {
    render(<Host schema={{ type: 'object', properties: { key: { type: 'string', title: 'Key', 'x-aistack': { secret: 'api_key' } } } }} stored={['api_key']} />);
    expect(screen.getByText('Set; cannot be read back')).toBeTruthy();
    await userEvent.click(screen.getByTestId('secret-replace-api_key'));
    await userEvent.type(screen.getByLabelText(/^Key/), 'sk_new');
    expect(secrets).toEqual({ api_key: 'sk_new' });
    expect(latest).toEqual({});
  });

  it('adds and removes objects of a list and rows of a map', async () => {
    render(<Host schema={{ type: 'object', properties: { rows: { type: 'array', title: 'Rows', items: { type: 'object', properties: { a: { type: 'string', title: 'A' } } } }, map: { type: 'object', title: 'Map', additionalProperties: { type: 'string' } } } }} />);
    const [addRow, addPair] = screen.getAllByRole('button', { name: /Add/ });
    await userEvent.click(addRow!);
    await userEvent.type(screen.getByLabelText(/^A/), 'x');
    await userEvent.click(addPair!);
    await userEvent.type(screen.getByLabelText('Name'), 'k');
    await userEvent.type(screen.getByLabelText('Value'), 'v');
    expect(latest).toEqual({ rows: [{ a: 'x' }], map: { k: 'v' } });
    await userEvent.click(screen.getAllByRole('button', { name: 'Remove' })[0]!);
    expect(latest.rows).toEqual([]);
  });

  it('keeps broken JSON as typed and the value as it was', async () => {
    render(<Host schema={{ type: 'object', properties: { any: { title: 'Any' } } }} start={{ any: { a: 1 } }} />);
    const box = screen.getByRole('textbox');
    fireEvent.change(box, { target: { value: '{"a": 2' } });
    expect(latest.any).toEqual({ a: 1 });
    expect(screen.getByText('This is not valid JSON')).toBeTruthy();
    fireEvent.change(box, { target: { value: '{"a": 2}' } });
    expect(latest.any).toEqual({ a: 2 });
  });
});

describe('secrets of the manifest', () => {
  const manifest = { secret: [{ name: 'client_secret', kind: 'opaque' }, { name: 'webhook', kind: 'hmac', required: false }] };
  it('adds a field for each one the schema does not mention', () => {
    const schema = withSecrets({ type: 'object', properties: { cs: { type: 'string', 'x-aistack': { secret: 'client_secret' } } } }, secretsOf(manifest, 'en'));
    expect(Object.keys(schema.properties!)).toEqual(['cs', '$secret.webhook']);
    expect(schema.required).toEqual(['cs']);
  });
  it('knows which required ones are missing', () => {
    expect(missingSecrets(secretsOf(manifest, 'en'), new Set(), {})).toEqual(['client_secret']);
    expect(missingSecrets(secretsOf(manifest, 'en'), new Set(['client_secret']), {})).toEqual([]);
    expect(missingSecrets(secretsOf(manifest, 'en'), new Set(), { client_secret: 'x' })).toEqual([]);
  });
});
