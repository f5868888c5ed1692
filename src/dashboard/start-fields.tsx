import type { KnownAgent, KnownRepository } from '../domain/control-plane.ts'
import { get } from './api.ts'
import { useKept, useLoaded } from './hooks.ts'

/** What every start is made of besides what it is about, as it is typed. */
export interface StartTexts {
  readonly repository: string
  readonly setRepository: (text: string) => void
  /** '' is the configured one. */
  readonly agent: string
  readonly setAgent: (text: string) => void
  readonly command: string
  readonly setCommand: (text: string) => void
}

/** @param name tells several forms apart */
export function useStart(name: string): StartTexts {
  const [repository, setRepository] = useKept(`${name}:repository`)
  const [agent, setAgent] = useKept(`${name}:agent`)
  const [command, setCommand] = useKept(`${name}:command`)
  return { repository, setRepository, agent, setAgent, command, setCommand }
}

/** The agent of a request; nothing where it is the configured one. */
export function agentOf({ agent, command }: StartTexts): object {
  if (agent === '') return {}
  return { agent: { name: agent, argv: agent === 'command' ? ['/bin/sh', '-c', command] : [] } }
}

/** The repositories that are known. */
export const useRepositories = () =>
  useLoaded(
    async () => (await get<{ repositories: readonly KnownRepository[] }>('/v1/repositories')).repositories,
    [],
  )

interface StartFieldsProps {
  readonly texts: StartTexts
  readonly repositories: readonly KnownRepository[]
}

/** Where, and by which agent. */
export function StartFields({ texts, repositories }: StartFieldsProps) {
  const { repository, setRepository, agent, setAgent, command, setCommand } = texts
  const agents = useLoaded(
    async () => (await get<{ agents: readonly KnownAgent[] }>('/v1/agents')).agents,
    [],
  )
  const own = repositories.find(({ path }) => path === repository)?.agent ?? undefined
  const usual = own ?? agents.value?.find((each) => each.usual)?.name
  const isLoading = agents.value === null && agents.error === null
  return (
    <>
      <label for="repository">Repository</label>
      <input
        id="repository"
        list="repositories"
        required
        placeholder="/home/me/project"
        value={repository}
        onInput={(event) => setRepository(event.currentTarget.value)}
      />
      <datalist id="repositories">
        {repositories.map(({ path }) => (
          <option key={path} value={path} />
        ))}
      </datalist>
      <label for="agent">Agent</label>
      <select
        id="agent"
        // An option without a value is none in a field that has to be filled in.
        required={!isLoading && usual === undefined}
        value={agent}
        onChange={(event) => setAgent(event.currentTarget.value)}
      >
        <option value="">
          {usual !== undefined
            ? `the configured one (${usual})`
            : isLoading
              ? 'Loading…'
              : 'Choose one: none is configured'}
        </option>
        {agents.value?.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      {agent === 'command' && (
        <>
          <label for="command">Command that the agent runs, in a shell</label>
          <textarea
            id="command"
            rows={2}
            required
            class="code"
            value={command}
            onInput={(event) => setCommand(event.currentTarget.value)}
          />
        </>
      )}
    </>
  )
}
