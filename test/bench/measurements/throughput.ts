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

/** Changes one file, or the breaker would end its task after three steps. */
const agent = 'date +%s%N > time.txt; echo TASK_STATE: CONTINUE'

interface Round {
  readonly rate: number
  readonly steps: readonly StepTime[]
}

/** Steps per second with eight workers on one repository, against eight loops of raw boxes. */
export const throughput: Measurement = {
  names: ['throughput'],
  rounds: 5,
  async run(lab, rounds) {
    const repository = smallRepository(lab)
    await using plane = await openPlane(lab, premises(lab, 'throughput', workers))
    const raw = await warmUp(lab, plane, repository)
    const ours: Round[] = []
    const floors: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await stepsAtOnce(plane, repository))
      floors.push(await boxesAtOnce(raw))
    }
    const steps = ours.flatMap((round) => round.steps.map(({ parts }) => parts))
    return {
      measured: [
        {
          name: 'throughput',
          value: median(ours.map(({ rate }) => rate)),
          unit: '/s',
          floor: median(floors),
          reach: { of: 'ratio', limit: 'least', than: 0.85 },
        },
      ],
      notes: [`a step among ${workers}: ${partsText(steps)} (means of ${steps.length})`],
    }
  },
}

/** Makes the mirror, and learns what the box of a step is. */
async function warmUp(lab: Lab, { client }: BenchPlane, repository: string): Promise<RawBoxes> {
  const { task } = await client.submit(request(repository, 'exit 0'))
  await halted(client, task.id)
  const spec = (await client.checkpoints(task.id)).at(-1)?.box ?? null
  if (spec === null) throw new Error('a step has no box on record')
  return rawBoxes(lab, { ...spec, argv: ['/bin/sh', '-c', agent] })
}

async function stepsAtOnce({ client }: BenchPlane, repository: string): Promise<Round> {
  const wanted = request(repository, agent)
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
