import type { CommitId } from '../../src/domain/brand.ts'
import type { Forge, PullRequest, PullState } from '../../src/domain/delivery/forge.ts'
import type { PullSettings } from '../../src/domain/delivery/pull.ts'
import { Failure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'

/** A pull request, as people at the forge see it. */
export interface Proposed {
  readonly number: number
  readonly branch: string
  readonly into: string
  state: PullState['state']
}

/** What the operator configured. */
export const proposing: PullSettings = {
  forge: 'github',
  address: 'https://forge.test',
  project: 'ada/tools',
  remote: 'https://forge.test/ada/tools.git',
  user: 'x',
  token: new Secret('forge', 'the-token-of-the-forge'),
  tokenFrom: 'nowhere',
  network: 'public',
  draft: true,
}

/** The forge and its repository: they outlive every process. It takes a second pull request, so that one is seen. */
export class VirtualForge {
  readonly pulls: Proposed[] = []
  readonly branches = new Map<string, CommitId>()
  down = false
  /** The second of two that were open for one branch at once. */
  doubled: Proposed | null = null

  /** Those that are open. */
  find(branch: string): readonly Proposed[] {
    return this.pulls.filter((each) => each.state === 'open' && each.branch === branch)
  }

  open({ branch, into }: Pick<PullRequest, 'branch' | 'into'>): Proposed {
    const made: Proposed = { number: this.pulls.length + 1, branch, into, state: 'open' }
    if (this.find(branch).length > 0) this.doubled = made
    this.pulls.push(made)
    return made
  }

  /** The forge as a process sees it. */
  seen(): Forge {
    const answers = (): void => {
      if (this.down) throw new Failure('busy', 'The forge does not answer.')
    }
    const stateOf = ({ number, state }: Proposed): PullState => ({ number, url: null, state })
    return {
      reach: async () => answers(),
      find: async (branch) => {
        answers()
        return this.find(branch).map((each) => ({ ...stateOf(each), into: each.into }))
      },
      open: async (request) => {
        answers()
        if (!this.branches.has(request.branch))
          throw new Failure('repository', `The forge has no ${request.branch}.`)
        return stateOf(this.open(request))
      },
      look: async (number) => {
        answers()
        const found = this.pulls[number - 1]
        if (found === undefined) throw new Failure('repository', `The forge has no #${number}.`)
        return stateOf(found)
      },
    }
  }
}
