import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { claude } from '../../../src/agents/claude.ts'
import { unset } from '../../../src/agents/settings.ts'
import { parseTaskRequest, type TaskRequest } from '../../../src/domain/intake.ts'
import { agentInputs, imageTag } from '../../../src/sandbox/docker/image/agents.ts'
import { buildWithAgents } from '../../../src/sandbox/docker/image/build-agents.ts'
import { fetchAgent } from '../../../src/sandbox/docker/image/fetch-agent.ts'
import { finish, run, turn } from '../../support/model/script.ts'
import { openModel } from '../../support/model/server.ts'
import type { Lab } from '../lab.ts'
import type { Measurement } from '../measurement.ts'
import { expectHalt, halted, openPlane, premises } from '../plane.ts'
import { smallRepository } from '../repositories.ts'
import { mean, median } from '../statistics.ts'
import { partsText, stepsOf, type StepTime } from '../steps.ts'

/** The box's user, where we are root: Claude Code refuses to work without questions as root. */
const user = process.geteuid?.() === 0 ? { uid: 10_001, gid: 10_001 } : {}
const prompt = 'Look around.\nEnd with one line TASK_STATE: CONTINUE\n'

/**
 * A step of Claude Code in a box, with verify, candidate and checkpoint, against the same program on the host with the same
 * answers of the same scripted model.
 */
export const agentStep: Measurement = {
  names: ['agent_step_added'],
  rounds: 8,
  async run(lab, rounds) {
    await buildWithAgents(lab.api.docker, ['claude'], { progress: (line) => lab.say(line) })
    const bare = await bareAgent(lab)
    await using model = await openModel({
      // Alike in every conversation, whether it goes on or begins.
      script: ({ items }) =>
        items.at(-1)?.by === 'result' ? finish('Looked.', 'CONTINUE') : turn(run('ls')),
    })
    const place = premises(lab, 'agent', 1, {
      engine: { ...lab.engine, image: imageTag(['claude']) },
      upstreams: { anthropic: { origin: model.origin } },
    })
    await using plane = await openPlane(lab, place)
    const repository = smallRepository(lab)
    const steps: StepTime[] = []
    const floors: number[] = []
    for (let round = 0; round <= rounds; round += 1) {
      const { task } = await plane.client.submit(asked(repository))
      // Nothing changes, so that the breaker ends it after three steps: two are measured from end to end.
      expectHalt(await halted(plane.client, task.id), 'stuck')
      for (const step of stepsOf(await plane.client.events(task.id, 0))) {
        const floor = await bare(model.origin)
        // The first round warms everything up.
        if (round === 0) continue
        steps.push(step)
        floors.push(floor)
      }
    }
    const added = median(steps.map(({ ms }) => ms)) - median(floors)
    return {
      measured: [
        {
          name: 'agent_step_added',
          value: added,
          unit: 'ms',
          floor: median(floors),
          reach: { of: 'value', limit: 'most', than: 350 },
        },
      ],
      notes: [
        `a step of Claude Code: ${partsText(steps.map(({ parts }) => parts))} (means of ${steps.length}); on the host ${mean(floors).toFixed(0)} ms`,
      ],
    }
  },
}

function asked(repository: string): TaskRequest {
  const agent = { name: 'claude', argv: [] }
  const parsed = parseTaskRequest({ goal: 'Look around', repository, agent, test: null })
  if (!parsed.ok) throw new Error(parsed.problems.join(' '))
  return parsed.request
}

/** @returns what runs the program once on the host, asking a model at this address, and resolves to how long it took, ms */
async function bareAgent(lab: Lab): Promise<(origin: string) => Promise<number>> {
  const folder = await fetchAgent(agentInputs('claude'), lab.fresh('claude'), {
    progress: (line) => lab.say(line),
  })
  // Whom it runs as is to get there; what the lab keeps to itself has modes of its own.
  chmodSync(lab.folder, 0o711)
  const home = join(lab.folder, 'home')
  const work = join(lab.folder, 'work')
  for (const path of [home, work]) {
    mkdirSync(path)
    if (user.uid !== undefined) chownSync(path, user.uid, user.gid)
  }
  const { argv, env } = claude(unset).call({ name: 'claude', argv: [] }, null)
  const program = join(folder, 'local/bin/claude')
  return async (origin) => {
    const begun = performance.now()
    const child = spawn(program, argv.slice(1), {
      cwd: work,
      env: {
        ...env,
        HOME: home,
        PATH: process.env['PATH'],
        ANTHROPIC_BASE_URL: origin,
        CLAUDE_CONFIG_DIR: home,
      },
      stdio: ['pipe', 'ignore', 'ignore'],
      ...user,
    })
    child.stdin.end(prompt)
    const [code] = (await once(child, 'exit')) as readonly unknown[]
    if (code !== 0) throw new Error(`the agent on the host ended with code ${String(code)}`)
    return performance.now() - begun
  }
}
