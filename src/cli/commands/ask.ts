import type { Command } from 'commander'
import type { AgentProgress } from '../../domain/agent.ts'
import type { Sight } from '../../domain/control-plane.ts'
import { progressText } from '../../domain/progress.ts'
import { Connection } from '../connection.ts'
import { exitHelp } from '../exit.ts'
import { interrupts } from '../interrupt.ts'
import { openReporter, type Reporter } from '../reporter.ts'
import { plain } from '../render/text.ts'
import { type QuestionOptions, questionOf } from '../request.ts'
import { submitAndPursue } from '../submit.ts'
import type { World } from '../world.ts'
import { common, type CommonOptions, idOf, several, type Shell, speller, targetOf } from './common.ts'
import { programOf } from './task-options.ts'

interface AskOptions extends QuestionOptions, CommonOptions {
  readonly yes?: true
}

const examples = `
Examples:
  cofferdam ask "Where is the session cookie set, and what can read it?" --repo ~/shop
  cofferdam ask --follow-up ID "And where is it removed?"
  cofferdam ask - --agent claude < question.md > answer.md

The answer goes to standard output, all else to standard error. Who answers is the agent of the configuration ("ask", else
the repository's or that of "task", where that has a model); a follow-up goes to whom the question before it went to. Its
box can read the repository and write nothing of it. A program after "--" answers too: it reads the prompt, which holds the
question, on standard input, and what it prints is the answer.

Ctrl-C stops the question; \`cofferdam task resume ID\` has it asked once more, where it was stopped or had no answer.

${exitHelp()}`

export function askCommand(program: Command, shell: Shell): void {
  common(program.command('ask <question> [argv...]').description('ask a question about a repository'))
    .option('--repo <path>', 'the git repository (default: that of this folder)')
    .option('--ref <ref>', 'branch, tag or commit that it is about (default: what is checked out)')
    .option('--follow-up <id>', 'go on with the conversation of this question')
    .option('--agent <name>', 'who answers (default: "command" with a program, else as configured)')
    .option('--steps <n>', 'the most tries to answer it (default: 1)')
    .option('--minutes <n>', 'the most minutes that its box may run (default: as for a task)')
    .option('--tokens <n>', 'the most tokens of models (default: as for a task)')
    .option('--cost <usd>', 'the most US dollars for models (default: as for a task)')
    .option('--draft', 'ask a person first, whatever the risk')
    .option('--deny <pattern>', 'not to be read; may be repeated', several)
    .option('--egress <host>', 'a host that the agent may reach; may be repeated', several)
    .option('--yes', 'approve what the risk gate asks a person for; the decision is recorded')
    .addHelpText('after', examples)
    .action(async (question: string, argv: string[], options: AskOptions) => {
      const { world } = shell
      const { followUp } = options
      const given = followUp === undefined ? options : { ...options, followUp: idOf(followUp) }
      const text = question === '-' ? await world.terminal.input() : question
      const request = questionOf(text, given, programOf(argv, shell, 'question'), world.around.cwd)
      await using connection = await Connection.host(targetOf(shell, options, 'ask'))
      const spell = speller(options)
      const quiet = options.json === true
      const beside = quiet ? world : onStandardError(world)
      using reporter = quiet
        ? openReporter(world, spell, true)
        : withoutOutput(openReporter(beside, spell, false))
      using ways = interrupts(world, reporter)
      const yes = options.yes === true
      const start = { world: beside, connection, reporter, spell, ways, yes, quiet }
      const { exit, id } = await submitAndPursue(start, (client, key) => client.ask(request, key))
      if (exit === 'done' && id !== null && !quiet) {
        const { answer } = await connection.persist((client) => client.task(id), ways.leave)
        world.terminal.out(`${plain(answer ?? '').trim()}\n`)
      }
      shell.end(exit)
    })
}

/** Standard output is for the answer alone. */
function onStandardError(world: World): World {
  const { terminal } = world
  return { ...world, terminal: { ...terminal, out: (text) => terminal.error(text) } }
}

/** Without the answer, and of the agent only what it does: what it says is the answer or on the way to it, and would be read twice. */
function withoutOutput(reporter: Reporter): Reporter {
  return {
    task: (task, notes) => reporter.task(task, notes),
    sight: (sight: Sight) =>
      reporter.sight(sight.kind === 'output' ? { ...sight, text: doneIn(sight.progress ?? []) } : sight),
    note: (text) => reporter.note(text),
    pause: () => reporter.pause(),
    resume: () => reporter.resume(),
    end: (task) => reporter.end({ ...task, answer: null }),
    [Symbol.dispose]: () => reporter[Symbol.dispose](),
  }
}

const doneIn = (progress: readonly AgentProgress[]): string =>
  progress
    .filter(({ kind }) => kind === 'tool')
    .map((one) => `${progressText(one)}\n`)
    .join('')
