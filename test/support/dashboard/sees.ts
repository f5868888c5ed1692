import type { Locator, Page } from 'playwright-core'

/** Waits until a person sees this, or the first of these; rejects where they do not in a few seconds. */
export const sees = (what: Locator): Promise<void> => what.first().waitFor()

/** Waits until nothing of a page is on its way any more. */
export const settled = (page: Page): Promise<void> =>
  page.getByText('Loading…', { exact: true }).first().waitFor({ state: 'detached' })
