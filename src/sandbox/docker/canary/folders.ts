import type { HostPath } from '../../../domain/brand.ts'
import { Failure, messageOf } from '../../../domain/failure.ts'
import type { NotTheSame } from '../../../domain/same-place.ts'
import type { Api } from '../connect.ts'
import { removeContainer } from '../containers.ts'
import { helperLabels } from '../leftovers.ts'
import { type Mark, markIn } from './mark.ts'

/**
 * Has a canary box read a random token back through each of these folders, as the engine mounts them: with the control
 * plane in a container, or an engine on another machine, the same path may be another folder there. Leaves nothing behind.
 * @returns those that are not the same, in their order; rejects where no box can be run
 */
export async function foldersApart(
  api: Api,
  image: string,
  installation: string,
  folders: readonly HostPath[],
): Promise<readonly NotTheSame[]> {
  const marks: Mark[] = []
  const apart = new Map<HostPath, string>()
  try {
    for (const folder of new Set(folders)) {
      const mark = await markIn(folder, installation).catch((error: unknown) => {
        apart.set(folder, `it cannot be written here (${messageOf(error)})`)
      })
      if (mark !== undefined) marks.push(mark)
    }
    for (const { mark, why } of await lookAt(api, image, installation, marks)) apart.set(mark.in, why)
  } finally {
    for (const mark of marks) await mark[Symbol.asyncDispose]()
  }
  return folders.flatMap((path) => {
    const why = apart.get(path)
    return why === undefined ? [] : [{ path, why }]
  })
}

interface Apart {
  readonly mark: Mark
  readonly why: string
}

/** The engine names one folder that it does not have and makes no box: those that are left are looked at without it. */
async function lookAt(
  api: Api,
  image: string,
  installation: string,
  marks: readonly Mark[],
): Promise<readonly Apart[]> {
  if (marks.length === 0) return []
  try {
    const read = await tokensSeen(api, image, installation, marks)
    return marks
      .filter(({ token }, at) => read[at] !== token)
      .map((mark) => ({ mark, why: 'a box of the engine finds another folder there' }))
  } catch (error) {
    const missing = marks.find(({ folder }) => messageOf(error).includes(folder))
    if (missing === undefined) throw error
    const others = marks.filter((mark) => mark !== missing)
    return [
      { mark: missing, why: 'the engine has not the folder that is here' },
      ...(await lookAt(api, image, installation, others)),
    ]
  }
}

/** What a box reads of each token, in their order. */
async function tokensSeen(
  api: Api,
  image: string,
  installation: string,
  marks: readonly Mark[],
): Promise<readonly string[]> {
  const places = marks.map(({ folder }, at) => ({ folder, target: `/cofferdam/seen/${at}` }))
  const box = await api.ask('make a canary box', (limit) =>
    api.docker.createContainer({
      Image: image,
      User: '65534:65534',
      Entrypoint: ['sh', '-c', 'for place; do cat "$place/token" 2>/dev/null || echo; done', 'canary'],
      Cmd: places.map(({ target }) => target),
      // With a terminal its output is plain text.
      Tty: true,
      NetworkDisabled: true,
      Labels: helperLabels(installation, Date.now()),
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        PidsLimit: 64,
        Memory: 128 * 1024 * 1024,
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
        Mounts: places.map(({ folder, target }) => ({
          Type: 'bind' as const,
          Source: folder,
          Target: target,
          ReadOnly: true,
        })),
      },
      ...limit,
    }),
  )
  try {
    await api.ask('start a canary box', (limit) => box.start(limit))
    const { StatusCode: code } = await api.ask('wait for a canary box', (limit) => box.wait(limit))
    const said = await api.ask('tell what a canary box said', () => box.logs({ stdout: true, stderr: true }))
    if (code !== 0)
      throw new Failure(
        'engine',
        `No canary box can be run on the Docker engine: it ended with code ${code}. ${String(said).trim()}`,
      )
    return String(said).split(/\r?\n/)
  } finally {
    await removeContainer(api, box.id)
  }
}
