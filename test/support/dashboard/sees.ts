import type { Locator } from 'playwright-core'

/** Waits until a person sees this, or the first of these; rejects where they do not in a few seconds. */
export const sees = (what: Locator): Promise<void> => what.first().waitFor()
