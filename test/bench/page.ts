import type { Host } from '../support/host.ts'
import type { Outcome } from './measurement.ts'
import { reachText, rowOf } from './row.ts'

/** The report as it is published. */
export function page({ measured, notes }: Outcome, host: Host, day: string): string {
  const missed = measured.filter((one) => !rowOf(one).met).map(({ name }) => name)
  return [
    '# What the benchmark measured',
    '',
    `Written by \`npm run bench -- --publish\` on ${day}, in one run with nothing beside it. \`floor\` is the same, or the least that it`,
    'could take, by hand beside it in the same run; `ratio` is the value against that floor, and says more than the value, which is another',
    'on another machine. `reach` is what the design wants: a ratio (×) or a value. Notes below say what is in a row.',
    '',
    ...Object.entries(host).map(([name, text]) => `- ${name}: ${text}`),
    '',
    missed.length === 0
      ? `**${measured.length} of ${measured.length} are reached.**`
      : `**${measured.length - missed.length} of ${measured.length} are reached; not: ${missed.join(', ')}.**`,
    '',
    '| what | value | floor | ratio | reach | met |',
    '| ---- | ----: | ----: | ----: | ----: | --- |',
    ...measured.map((one) => {
      const { name, value, unit, floor, ratio, met } = rowOf(one)
      return `| ${name} | ${value} ${unit} | ${floor} ${unit} | ${ratio.toFixed(2)} × | ${reachText(one)} | ${met ? 'yes' : '**no**'} |`
    }),
    '',
    ...notes.map((note) => `- ${note.replaceAll(/[\\`*<>[\]|]/g, (sign) => `\\${sign}`)}`),
    '',
  ].join('\n')
}
