import type { Command } from 'commander'

/** A command as a shell completes it. */
export interface Node {
  /** The words that lead to it, the program first: `cofferdam task list`. */
  readonly path: string
  readonly options: readonly { readonly name: string; readonly about: string; readonly takes: boolean }[]
  /** What may follow: subcommands, or the words of an argument. */
  readonly words: readonly { readonly name: string; readonly about: string }[]
}

/** Every command of a program, the program itself first. */
export function nodesOf(command: Command, before = ''): readonly Node[] {
  const path = `${before}${command.name()}`
  const subcommands = command.commands.map((each) => ({ name: each.name(), about: each.description() }))
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  const node: Node = {
    path,
    options: [
      ...command.options.map((option) => ({
        name: option.long ?? option.short ?? '',
        about: option.description,
        takes: option.required || option.optional,
      })),
      { name: '--help', about: 'display help for command', takes: false },
    ],
    words: [...subcommands, ...choices.map((name) => ({ name, about: '' }))],
  }
  return [node, ...command.commands.flatMap((each) => nodesOf(each, `${path} `))]
}
