import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from 'vitest'
import type { BoxResult, BoxSpec } from '../../src/domain/box.ts'
import { anEgress, Notes, type Overrides } from '../support/box.ts'
import { until } from '../support/until.ts'
import { attack } from './attack.ts'
import { Answers, probe, python } from './probe.ts'
import { openStage, type Stage } from './stage.ts'

// The one thing of the host that a box can talk to: its socket, and the program in the box that leads to it.

let stage: Stage
beforeAll(async () => {
  stage = await openStage({ 'a.txt': 'a\n' })
})
afterAll(async () => stage[Symbol.asyncDispose]())

/** The other end of a box's channel: greets whoever comes, keeps the line open, and counts. */
class FarSide {
  readonly open = new Set<NodeJS.ReadWriteStream>()
  taken = 0
  readonly #name: string
  constructor(name: string) {
    this.#name = name
  }
  readonly accept = (connection: NodeJS.ReadWriteStream): void => {
    this.taken += 1
    this.open.add(connection)
    connection.on('close', () => this.open.delete(connection))
    connection.write(`${this.#name}\n`)
  }
}

interface Begun {
  readonly spec: BoxSpec
  readonly notes: Notes
  readonly abort: AbortController
  readonly result: Promise<BoxResult>
  /** The host's path of its socket. */
  socket(): string
}

async function begin(
  argv: readonly string[],
  far: FarSide,
  more: Overrides = {},
): Promise<Begun & AsyncDisposable> {
  const spec = await stage.spec(argv, { egress: anEgress, ...more })
  const notes = new Notes()
  const abort = new AbortController()
  const before = new Set(folders())
  const materials = { ...stage.materials, accept: far.accept }
  const result = stage.engine.run(spec, materials, notes, abort.signal)
  return {
    spec,
    notes,
    abort,
    result,
    socket: () => join(parent(), folders().find((name) => !before.has(name)) ?? 'none', 's'),
    async [Symbol.asyncDispose]() {
      abort.abort()
      await result.catch(() => undefined)
      await stage.engine.remove(spec.name)
    },
  }
}

const parent = (): string => join(stage.folder, 'scratch', stage.installation)
const folders = (): readonly string[] => (existsSync(parent()) ? readdirSync(parent()) : [])

const greeted = 'exec 3<>/dev/tcp/127.0.0.1/3128; read -r -t 10 line <&3; echo "greeted by $line"'
const bash = (script: string): readonly string[] => ['bash', '-c', script]

attack(
  'A140 the socket of another box',
  'While another box with a channel runs, look for its socket by every name, also by its path on the host, and connect to it as the same user from the box and from the host.',
  async ({ saw }) => {
    const [mine, others] = [new FarSide('mine'), new FarSide('others')]
    await using victim = await begin(bash(`${greeted}; exec 3>&-; sleep 60`), others, { kind: 'setup' })
    await until(() => victim.notes.text.includes('greeted by others'))
    const socket = victim.socket()
    expect(statSync(socket).isSocket()).toBe(true)
    const { taken } = others
    const connect = (path: string): string =>
      python(`import socket\nsocket.socket(socket.AF_UNIX).connect(${JSON.stringify(path)})`)
    const folder = socket.split('/').at(-2) ?? ''
    await using attacker = await begin(
      probe({
        sockets: 'find / -type s 2>/dev/null',
        own: `bash -c '${greeted}'`,
        'A140 its path on the host': connect(socket),
        'A140 beside the own folder': connect(`/cofferdam/channel/../${folder}/s`),
        'A140 through the root of another process': connect(`/proc/1/root${socket}`),
        'A140 through the folder of another process': connect(`/proc/1/cwd/../..${socket}`),
        'A140 an abstract name': connect(`\0${socket}`),
        'A140 a list of others': `ls /cofferdam/channel | grep -v '^s$'`,
        'A140 mounted again': `mkdir -p /tmp/m && mount --bind ${parent()} /tmp/m`,
      }),
      mine,
    )
    const answers = new Answers((await attacker.result).output)
    expect(answers.get('sockets').out).toMatch(/^(?:\/cofferdam\/channel\/s\n)?$/)
    expect(answers.get('own').out).toBe('greeted by mine\n')
    saw(`The box saw no socket but its own. ${answers.refused('A140')}`)
    if (process.getuid?.() === 0) {
      const [uid, gid] = [victim.spec.user.uid, victim.spec.user.gid].map(String)
      const as = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', process.execPath, '-e']
      const program = `require('net').connect(${JSON.stringify(socket)}).on('error', ({ code }) => console.log(code))`
      const { stdout } = spawnSync('setpriv', [...as, program], { encoding: 'utf8' })
      expect(stdout).toBe('EACCES\n')
      saw('A process of the boxes’ user on the host, outside any box, could not open it either.')
    }
    expect(others.taken).toBe(taken)
    saw('The other box’s end of the channel saw nobody but that box.')
  },
)

attack(
  'A141 connections that outlive their box',
  'Keep connections open, by the relay and by the socket itself, from processes that were sent to the background; end the box by itself and by a stop, and connect again from the host.',
  async ({ saw }) => {
    const hold = `python3 - <<'END'
import os, socket, time
lines = []
for n in range(20):
    line = socket.create_connection(("127.0.0.1", 3128)); line.recv(5); lines.append(line)
    line = socket.socket(socket.AF_UNIX); line.connect("/cofferdam/channel/s"); line.recv(5); lines.append(line)
print("held", flush=True)
if os.fork() == 0:
    os.setsid(); time.sleep(60)
END`
    for (const [name, script, stop] of [
      ['ended by itself', hold, false],
      ['was stopped', `${hold}\nsleep 60`, true],
    ] as const) {
      const far = new FarSide('far')
      await using box = await begin(bash(script), far)
      await until(() => box.notes.text.includes('held'))
      expect(far.taken).toBe(40)
      const socket = box.socket()
      if (stop) box.abort.abort()
      const { end } = await box.result
      expect(end).toBe(stop ? 'killed' : 'exited')
      await until(() => far.open.size === 0)
      expect(await refusalOf(socket)).toMatch(/ENOENT|ECONNREFUSED/)
      await stage.engine.remove(box.spec.name)
      expect(folders()).toEqual([])
      saw(
        `When the box ${name}, all 40 connections were closed, nothing listened any more, and its folder went with it.`,
      )
    }
  },
)

attack(
  'A142 put something else in the place of the socket',
  'Remove, rename, link, replace and reown the socket and its folder, and listen beside it.',
  async ({ saw }) => {
    const far = new FarSide('gateway')
    const listen = (path: string): string =>
      python(`import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind(${JSON.stringify(path)})\ns.listen()`)
    await using box = await begin(
      probe({
        'A142 remove': 'rm -f /cofferdam/channel/s; ! [ -e /cofferdam/channel/s ]',
        'A142 rename': 'mv /cofferdam/channel/s /cofferdam/channel/t',
        'A142 rename the folder': 'mv /cofferdam/channel /cofferdam/other',
        'A142 replace': 'touch /tmp/s && mv -f /tmp/s /cofferdam/channel/s',
        'A142 link in': 'ln -sf /tmp/s /cofferdam/channel/s',
        'A142 link out': 'ln /cofferdam/channel/s /work/s',
        'A142 mode': 'chmod 777 /cofferdam/channel/s',
        'A142 mode of the folder': 'chmod 777 /cofferdam/channel',
        'A142 listen in its place': listen('/cofferdam/channel/s'),
        'A142 listen beside it': listen('/cofferdam/channel/t'),
        'A142 a file beside it': 'echo evil > /cofferdam/channel/t',
        'A142 mount over it': 'mount -t tmpfs none /cofferdam/channel',
        'A142 listen at the relay’s port': python(
          'import socket\ns = socket.socket()\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.bind(("127.0.0.1", 3128))\ns.listen()',
        ),
        after: `bash -c '${greeted}'`,
      }),
      far,
    )
    const answers = new Answers((await box.result).output)
    saw(answers.refused('A142'))
    expect(answers.get('after').out).toBe('greeted by gateway\n')
    saw('After all of it a request still reached the gateway.')
  },
)

attack(
  'A143 kill what keeps the box',
  'Kill the relay again and again, also with requests under way; then kill the first program of the box with processes left behind.',
  async ({ saw }) => {
    const far = new FarSide('gateway')
    const killed = 20
    await using relays = await begin(
      bash(`alive() { for n in $(seq 500); do pid=$(pgrep -x relay) && return; sleep 0.02; done; return 1; }
        # One that was killed may be listed until it is reaped; only who has been greeted by it has a living one.
        for i in $(seq ${killed}); do
          for n in $(seq 500); do
            alive && exec 3<>/dev/tcp/127.0.0.1/3128 && echo opened &&
              read -r -t 5 line <&3 && kill -9 $pid && echo killed && break
            exec 3>&-; sleep 0.02
          done 2>/dev/null
          exec 3>&-
        done
        alive
        ${greeted}; exit 7`),
      far,
    )
    const result = await relays.result
    expect([result.end, result.exitCode]).toEqual(['exited', 7])
    expect(result.output.match(/^killed$/gm)).toHaveLength(killed)
    expect(result.output).toContain('greeted by gateway')
    const opened = result.output.match(/^opened$/gm) ?? []
    expect(far.taken).toBeLessThanOrEqual(opened.length + 1)
    await until(() => far.open.size === 0)
    saw(
      `The relay was killed ${killed} times and came back each time; it led to the gateway as before, and the box’s own exit code was told.`,
    )

    const trace = join(stage.worktree, 'trace')
    await using first = await begin(
      bash(`setsid bash -c 'trap "" TERM HUP; while :; do echo x >> /work/trace; sleep 0.05; done' &
        sleep 0.5; kill -9 $PPID; sleep 60`),
      new FarSide('gateway'),
    )
    const { end, exitCode } = await first.result
    const size = statSync(trace).size
    await sleep(500)
    expect([end, exitCode, statSync(trace).size]).toEqual(['exited', 137, size])
    expect(readFileSync(trace, 'utf8')).toMatch(/^x\n/)
    saw('With its first program killed the whole box was gone, and no process of it went on writing.')
  },
)

attack(
  'A144 stop the clock of the box',
  'Stop the first program of the box, which holds the time limit, trace its init so that it stops too, and run on, under a limit of 1 second.',
  async ({ saw }) => {
    const began = performance.now()
    const result = await stage.run(
      bash(
        `kill -STOP $PPID; python3 -c 'import ctypes; ctypes.CDLL(None).ptrace(16, 1, 0, 0)'; while :; do sleep 1; done`,
      ),
      { seconds: 1 },
    )
    const seconds = (performance.now() - began) / 1000
    expect(result.end).toBe('time')
    expect(seconds).toBeLessThan(15)
    saw(`The host’s own clock ended it after ${seconds.toFixed(1)} s: ${result.message ?? ''}`)
  },
)

/** Why nothing can be connected to. */
async function refusalOf(socket: string): Promise<string> {
  return new Promise((resolve) => {
    createConnection(socket, () => resolve('connected')).on('error', (error) => resolve(String(error)))
  })
}
