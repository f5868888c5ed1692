import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** WCAG 2.2 A and AA, and what is good besides. */
const all = {
  type: 'tag',
  values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
}

/** What colours and room decide, which another scheme or another window may break; all else is as it was. */
const ofLooks = {
  type: 'rule',
  values: ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size'],
}

/**
 * What of a page is in the way of those who see, hear or move otherwise, in a line for each.
 * @param what `looks`: of a page that was looked at wholly in another scheme
 */
export async function barriers(page: Page, what: 'all' | 'looks' = 'all'): Promise<readonly string[]> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe.source)
  // What passes is not described: that takes longer than to find it.
  const options = {
    runOnly: what === 'all' ? all : ofLooks,
    resultTypes: ['violations'],
    selectors: false,
    preload: false,
  }
  const found = await page.evaluate<{
    violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[]
  }>(`axe.run(document, ${JSON.stringify(options)})`)
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html} ${failureSummary}`),
  )
}
