import type { Host } from '../../support/host.ts'
import type { Row } from './row.ts'

/** A line for each case, for a terminal of `width` columns. */
export function table(rows: readonly Row[], width: number): readonly string[] {
  const names = Math.min(60, Math.max(...rows.map((row) => row.case.length), 0))
  return rows.map((row) => {
    const text = row.outcome === 'passed' ? row.happened : (row.reason ?? '')
    const line = `${row.outcome.padEnd(7)}  ${row.case.slice(0, names).padEnd(names)}  ${text}`
    return line.length <= width ? line : `${line.slice(0, width - 1)}…`
  })
}

export function sum(rows: readonly Row[]): string {
  const count = (outcome: Row['outcome']): number => rows.filter((row) => row.outcome === outcome).length
  return `${rows.length} cases: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
}

/** Why these rows are no report for people: a sentence, or null. A page that says less than all is never published. */
export function whyNotPublished(rows: readonly Row[], filters: readonly string[]): string | null {
  const failed = rows.filter(({ outcome }) => outcome === 'failed')
  if (failed.length > 0)
    return `Not published: ${failed.map((row) => row.case.split(' ', 1)[0]).join(', ')} failed. Mend what failed, and run it again.`
  if (filters.length > 0)
    return `Not published: only ${filters.join(', ')} ran. Publish without naming files, so that every case is in it.`
  return rows.length > 0 ? null : 'Not published: no case ran.'
}

/** The report as it is published. */
export function page(rows: readonly Row[], host: Host, day: string): string {
  const cases = rows.flatMap((row) => [
    `## ${cell(row.case)}: ${row.outcome}`,
    '',
    ...(row.tried === '' ? [] : [`Tried: ${cell(row.tried)}`, '']),
    ...(row.happened === '' ? [] : [`Happened: ${cell(row.happened)}`, '']),
    ...(row.reason === null ? [] : [`Reason: ${cell(row.reason)}`, '']),
  ])
  return [
    '# What the attack suite found',
    '',
    `Written by \`npm run attack -- --publish\` on ${day}. Each case is a test in \`test/attack\` against a real engine with real mounts, run as`,
    'the user that an agent runs as, and looks at the host afterwards. A case that this host cannot exercise is skipped, with the reason.',
    '',
    ...Object.entries(host).map(([name, text]) => `- ${name}: ${cell(text)}`),
    '',
    `**${sum(rows)}.**`,
    '',
    ...cases,
  ].join('\n')
}

/** Text of a test, which may hold anything, as plain text of a page. */
function cell(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '')
    .replaceAll(/[\\`*_<>[\]|#]/g, (sign) => `\\${sign}`)
    .trim()
}
