import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** What of a page is in the way of those who see, hear or move otherwise, in a line for each (WCAG 2.2 A and AA). */
export async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const found = await page.evaluate<{
    violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[]
  }>(`axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(tags)} } })`)
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html} ${failureSummary}`),
  )
}
