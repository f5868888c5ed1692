import type { RiskRule } from './rule.ts'

/**
 * What nobody answers for: only the configuration and those who may approve write what is run unasked, and name what it is
 * run on. A control plane that is root reads any repository of the machine.
 */
export const authorRules: readonly RiskRule[] = [
  {
    id: 'repository',
    explain: ({ repositoryBy }) =>
      repositoryBy === 'other'
        ? ['The repository is not one of those in the configuration, and nobody who may approve named it.']
        : [],
  },
  {
    id: 'setup',
    explain: ({ setup, setupBy }) =>
      setup !== null && setupBy !== 'config'
        ? ['The setup command is not the configured one, and setup reaches the package registries.']
        : [],
  },
  {
    id: 'test',
    explain: ({ test, testBy }) =>
      test !== null && testBy === 'other'
        ? ['The test command is not the configured one, and nobody who may approve wrote it.']
        : [],
  },
  {
    id: 'agent',
    explain: ({ agent, agentBy }) =>
      agentBy === 'other'
        ? [
            `The agent "${agent.name}" is not the configured one, and nobody who may approve chose it for this task.`,
          ]
        : [],
  },
]
