import { KnownSecrets } from '../../../src/domain/leak.ts'
import type { Measurement } from '../measurement.ts'
import { median } from '../statistics.ts'

const values = Array.from({ length: 10 }, (_, index) => `sk-${index}-${'xyz/'.repeat(25)}`)
const chunk = Buffer.from(
  '{"type":"text","text":"Some words of a model, and sk- here and there."}'.repeat(900),
)
const chunks = 200

/** A box's output looked through for ten secrets, spelled in any way, against looking for the ten as they are. */
export const redaction: Measurement = {
  names: ['redaction_throughput'],
  rounds: 15,
  run(_lab, rounds) {
    const redactor = new KnownSecrets(values.map((value, index) => ({ name: `k${index}`, value }))).redactor(
      () => undefined,
    )
    const redacted: number[] = []
    const scanned: number[] = []
    for (let round = 0; round <= rounds; round += 1) {
      const all = rate(() => void redactor.push(chunk))
      const bare = rate(() => {
        if (values.some((value) => chunk.includes(value)))
          throw new Error('a secret was found where there is none')
      })
      // The first round warms everything up.
      if (round === 0) continue
      redacted.push(all)
      scanned.push(bare)
    }
    return Promise.resolve({
      measured: [
        {
          name: 'redaction_throughput',
          value: median(redacted),
          unit: 'MB/s',
          floor: median(scanned),
          reach: { of: 'value', limit: 'least', than: 30 },
        },
      ],
      notes: [`${chunks} chunks of ${chunk.length} bytes, one after the other, for each of ${rounds} rounds`],
    })
  },
}

/** Megabytes for each second. */
function rate(take: () => void): number {
  const began = performance.now()
  for (let count = 0; count < chunks; count += 1) take()
  return (chunks * chunk.length) / 1000 / (performance.now() - began)
}
