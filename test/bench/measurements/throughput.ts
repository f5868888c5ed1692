import type { TaskRequest } from '../../../src/domain/intake.ts'
import type { Lab } from '../lab.ts'
import type { Measurement } from '../measurement.ts'
import { type BenchPlane, expectHalt, halted, openPlane, premises, request } from '../plane.ts'
import { type RawBoxes, rawBoxes } from '../raw-box.ts'
import { smallRepository } from '../repositories.ts'
import { median, steadyRate } from '../statistics.ts'
import { partsText, stepsOf, type StepTime } from '../steps.ts'

const workers = 8
/** Steps of each worker in a round: the default budget of a task. */
const stepsEach = 8

/** Changes nothing, and fails in other words each time: the breaker would end its task after three equal steps. */
const idle = 'read id </proc/sys/kernel/random/uuid; echo "$id"; exit 1'
const changing = 'date +%s%N > time.txt; echo TASK_STATE: CONTINUE'

interface Round {
  readonly rate: number
  readonly steps: readonly StepTime[]
}

/** Steps per second with eight workers on one repository, against eight loops of raw boxes. */
export const throughput: Measurement = {
  names: ['throughput'],
  rounds: 3,
  async run(lab, rounds) {
    const repository = smallRepository(lab)
    await using plane = await openPlane(lab, premises(lab, 'throughput', workers))
    const raw = await warmUp(lab, plane, repository)
    const ours: Round[] = []
    const changed: Round[] = []
    const floors: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await stepsAtOnce(plane, request(repository, idle)))
      floors.push(await boxesAtOnce(raw))
      changed.push(await stepsAtOnce(plane, request(repository, changing)))
    }
    const floor = median(floors)
    const rateOf = (all: readonly Round[]): number => median(all.map(({ rate }) => rate))
    const timesOf = (all: readonly Round[]): string =>
      partsText(all.flatMap(({ steps }) => steps.map(({ parts }) => parts)))
    return {
      measured: [
        {
          name: 'throughput',
          value: rateOf(ours),
          unit: '/s',
          floor,
          reach: { of: 'ratio', limit: 'least', than: 0.85 },
        },
      ],
      notes: [
        `a step among ${workers}: ${timesOf(ours)}`,
        `with a changed file in each step ${rateOf(changed).toFixed(2)} /s, ${(rateOf(changed) / floor).toFixed(2)} ×: ${timesOf(changed)}`,
      ],
    }
  },
}

/** Makes the mirror, and learns what the box of a step is. */
async function warmUp(lab: Lab, { client }: BenchPlane, repository: string): Promise<RawBoxes> {
  const { task } = await client.submit(request(repository, idle))
  expectHalt(await halted(client, task.id), 'steps')
  const spec = (await client.checkpoints(task.id)).at(-1)?.box ?? null
  if (spec === null) throw new Error('a step has no box on record')
  return rawBoxes(lab, spec, 1)
}

async function stepsAtOnce({ client }: BenchPlane, wanted: TaskRequest): Promise<Round> {
  const submitted = await Promise.all(Array.from({ length: workers }, () => client.submit(wanted)))
  const ids = submitted.map(({ task }) => task.id)
  for (const id of ids) expectHalt(await halted(client, id), 'steps')
  const events = await Promise.all(ids.map((id) => client.events(id, 0)))
  const ends = events.map((all) => all.filter(({ type }) => type === 'checkpointed').map(({ at }) => at))
  return { rate: steadyRate(ends), steps: events.flatMap(stepsOf) }
}

async function boxesAtOnce(raw: RawBoxes): Promise<number> {
  const worker = async (): Promise<readonly number[]> => {
    const ends: number[] = []
    for (let step = 0; step < stepsEach; step += 1) {
      await raw.run()
      ends.push(Date.now())
    }
    return ends
  }
  return steadyRate(await Promise.all(Array.from({ length: workers }, worker)))
}
