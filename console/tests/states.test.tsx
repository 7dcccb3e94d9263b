import { render, screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ApiProblem } from '@/api/problem';
import { ErrorState } from '@/shared/ui/states';

describe('a refusal on the page', () => {
  it('says what, where and how to put it right', () => {
    const errors = [
      { pointer: '/egress/0/kind', code: 'not_allowed', message: 'there is no such kind', hint: 'one of http, dial', line: 12 },
      { pointer: '/id', code: 'format', message: 'not an id' },
    ];
    const problem = new ApiProblem({ code: 'plugin_refused', reason: 'manifest', detail: 'the manifest has errors', hint: 'correct it', errors }, 422, null);
    render(<ErrorState error={problem} fields={problem.fields} />);
    expect(screen.getByTestId('hint').textContent).toBe('How to fix it: correct it');
    expect(screen.getByTestId('problem-code').textContent).toBe('plugin_refused · manifest');
    const rows = within(screen.getByTestId('field-problems')).getAllByRole('listitem');
    expect(rows.map((r) => r.textContent)).toEqual(['/egress/0/kind line 12 there is no such kind not_allowed→ one of http, dial', '/id  not an id format']);
  });

  it('stays short when there is nothing more to say', () => {
    render(<ErrorState error={new ApiProblem({ code: 'not_found' }, 404, null)} />);
    expect(screen.queryByTestId('hint')).toBeNull();
    expect(screen.queryByTestId('field-problems')).toBeNull();
  });
});
