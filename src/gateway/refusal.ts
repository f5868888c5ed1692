/** Why something did not pass, as a value: it is recorded, and answered to the box. */
export interface Refusal {
  readonly verdict: 'denied' | 'failed'
  /** The rule that decided. */
  readonly rule: string
  /** One sentence or two: why, and what to do where something can be done. */
  readonly text: string
  /** What the box is answered. */
  readonly status: number
  /** It may pass later, so whoever asked may ask again; the others would only be refused again. */
  readonly again?: true
}

export function denied(rule: string, text: string, status = 403): Refusal {
  return { verdict: 'denied', rule, text, status }
}

export function failed(rule: string, text: string, status = 502): Refusal {
  return { verdict: 'failed', rule, text, status }
}

/** Nothing is wrong with it but the moment. */
export function passing(rule: string, text: string, status = 502): Refusal {
  return { ...failed(rule, text, status), again: true }
}

export function busy(text: string, status: number): Refusal {
  return passing('busy', text, status)
}

export function isRefusal(outcome: object): outcome is Refusal {
  return 'verdict' in outcome && 'status' in outcome
}
