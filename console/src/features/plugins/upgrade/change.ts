/** Changing an installation: what asks for more than was granted is shown before anybody agrees to it. */
import { useState } from 'react';
import { take } from '@/api/client';
import type { Installation } from '@/api/models';
import type { ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { useAction } from '@/shared/ui/act/action';
import { readAdded, type Added } from './added';

/** What is to change; what is left out stays. */
export interface Change {
  name?: string;
  config?: unknown;
  version?: string;
  pinned?: boolean;
  secrets?: Record<string, string>;
  consent?: string;
  when_consented?: boolean;
}

/** A change that was refused because it asks for more. */
export interface Asked {
  change: Change;
  added: Added;
  digest: string;
}

/** Reads the refusal; `null` when it is another one. */
export function consentNeeded(problem: ApiProblem, change: Change): Asked | null {
  const { reason, added, added_digest: digest } = problem.body;
  if (problem.status !== 409 || reason !== 'consent_needed' || typeof digest !== 'string') return null;
  const { consent: _, when_consented: __, ...rest } = change;
  return { change: rest, added: readAdded(added), digest };
}

export interface ChangeOptions {
  done?: (change: Change) => string | undefined;
  after?: (installation: Installation) => void;
  problem?: (problem: ApiProblem, change: Change) => boolean;
}

export function useChange(installation: string, options: ChangeOptions) {
  const scope = useScope();
  const [asked, setAsked] = useState<Asked | null>(null);
  const action = useAction<Change, Installation>({
    run: (change) => take(scope.api.PATCH('/api/v1/installations/{installation}', { params: { path: { installation } }, body: change as never })),
    invalidate: [[scope.key, 'installations'], [scope.key, 'reports']],
    done: (_, change) => options.done?.(change),
    problem: (problem, change) => {
      // Also when what was agreed to is no longer what is asked for: the new list is shown.
      const needed = consentNeeded(problem, change);
      setAsked(needed);
      return needed !== null || (options.problem?.(problem, change) ?? false);
    },
    after: (made) => {
      setAsked(null);
      options.after?.(made);
    },
  });
  return {
    run: action.mutate,
    busy: action.isPending,
    running: action.isPending ? action.variables : null,
    /** What `ConsentDialog` shows. */
    asked,
    agree: () => asked && action.mutate({ ...asked.change, consent: asked.digest }),
    /** The change is kept until somebody agrees; not possible with secrets in it. */
    wait: asked && Object.keys(asked.change.secrets ?? {}).length === 0 ? () => action.mutate({ ...asked.change, when_consented: true }) : undefined,
    dismiss: () => setAsked(null),
  };
}
