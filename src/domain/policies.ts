import { canonicalJson, sha256 } from './canonical-json.ts'
import { fold } from './fold.ts'
import { compileList } from './pattern-list.ts'
import type { PolicyRequest } from './policy-request.ts'
import type { Limits, Policy } from './policy.ts'

const defaultLimits: Limits = {
  memoryMb: 4096,
  cpus: 2,
  pids: 1024,
  openFiles: 16_384,
  fileMb: 2048,
  tmpMb: 512,
  outputMb: 16,
  worktreeMb: 10_240,
  worktreeFiles: 500_000,
  upMb: 256,
  downMb: 4096,
  connections: 128,
  diskFreeMb: 1024,
  testSeconds: 600,
  setupSeconds: 900,
}

// No pattern here ends with `/`: a symlink of that name is as good as a folder to the tool that reads it.
/** Names of files that work for others than the program itself, by whom they work for. */
export const sensitivePaths = {
  // Run by a forge when the work is pushed.
  ci: `.github/workflows .github/actions .gitlab-ci.yml .gitlab/ci .circleci .forgejo/workflows .gitea/workflows
    .woodpecker .woodpecker.yml .woodpecker.yaml .drone.yml .buildkite .travis.yml Jenkinsfile azure-pipelines.yml
    bitbucket-pipelines.yml appveyor.yml .appveyor.yml`,
  // Run by git or by a shell that enters the folder.
  hooks: `.husky .githooks .lefthook lefthook.yml lefthook.yaml .lefthook.yml lefthook-local.yml .pre-commit-config.yaml
    .envrc`,
  // Run or obeyed by an editor that opens the folder.
  editors: `.vscode .idea .zed .fleet *.code-workspace .devcontainer .devcontainer.json`,
  // Obeyed by the next agent.
  agents: `.claude .codex .gemini .opencode opencode.json opencode.jsonc .pi .cursor .windsurf .continue .roo .kiro .amazonq
    .aider.conf.yml .mcp.json mcp.json`,
  instructions: `AGENTS.md AGENTS.override.md AGENT.md CLAUDE.md CLAUDE.local.md GEMINI.md .cursorrules .cursorignore
    .windsurfrules .clinerules .roorules .github/copilot-instructions.md .github/instructions .github/prompts
    .github/agents .github/chatmodes`,
  // Change what the next installation runs or where it comes from.
  packages: `.npmrc .yarnrc .yarnrc.yml .yarn/releases .yarn/plugins .pnpmfile.cjs bunfig.toml .pypirc pip.conf uv.toml
    .cargo/config .cargo/config.toml .bundle/config .gemrc .condarc .mvn nuget.config`,
}

export const defaultPolicy: Policy = {
  allow: [],
  readonly: Object.values(sensitivePaths).flatMap((names) => names.split(/\s+/)),
  deny: ['.env', '.env.*', 'config.yaml', '**/.git', '**/.git/**', '.workspace', '.workspace/**'],
  except: ['example', 'sample', 'template', 'dist'].flatMap((end) => [`.env.${end}`, `.env.*.${end}`]),
  onViolation: 'retry',
  egress: [],
  upstreams: [],
  posture: 'standard',
  limits: defaultLimits,
}

/** Names that a policy may make readable: the files a person keeps configuration in. */
const softenable = new Set(['.env', '.env.*', 'config.yaml'])

/**
 * The policy that results when `request` is laid over `base`. A request adds to every list; what it may take away is in
 * `open` (readonly patterns of the base) and in `readonly` (`config.yaml` and `.env` names, which then are not denied).
 */
export function effectivePolicy(request: PolicyRequest, base: Policy): Policy {
  const softened = request.readonly.filter((pattern) => isSoftenable(pattern))
  const named = compileList(request.deny)
  return {
    allow: union(base.allow, request.allow),
    readonly: union(without(base.readonly, request.open), request.readonly),
    deny: union(without(base.deny, softened), request.deny),
    // A name that the request denies itself is no exception; a softened name that a wider pattern still denies is one.
    except: union(base.except, [...softened, ...request.except]).filter(
      (name) => named.match(fold(name), fold(name), false) === null || request.except.includes(name),
    ),
    onViolation: request.onViolation ?? base.onViolation,
    egress: union(base.egress, request.egress),
    upstreams: union(base.upstreams, request.upstreams),
    posture: request.posture ?? base.posture,
    limits: { ...base.limits, ...defined(request.limits) },
  }
}

/** Sentences about what of a request cannot be had on top of `base`; empty where it can. */
export function policyProblems(request: PolicyRequest, base: Policy): readonly string[] {
  const known = new Set(base.readonly.map(bare))
  const unknown = request.open.filter((pattern) => !known.has(bare(pattern)))
  const masked = compileList(base.deny)
  const futile = request.readonly.filter((pattern) => {
    const path = fold(bare(pattern)).replace(/^\//, '')
    const name = path.slice(path.lastIndexOf('/') + 1)
    return !isSoftenable(pattern) && masked.match(path, name, false) !== null
  })
  return [
    ...unknown.map(
      (pattern) =>
        `The policy cannot open ${JSON.stringify(pattern)}, as no default readonly pattern is written so: ` +
        '`cofferdam explain` shows them.',
    ),
    ...futile.map(
      (pattern) =>
        `The policy cannot make ${JSON.stringify(pattern)} readonly, as it stays denied: ` +
        'only `config.yaml` and names of `.env` files can be, written without a folder.',
    ),
  ]
}

/** SHA-256 over the policy's canonical JSON, hex: the same for the same policy, whatever the order of its lists. */
export function policyHash(policy: Policy): string {
  const known = hashes.get(policy)
  if (known !== undefined) return known
  const hash = hashOf(policy)
  hashes.set(policy, hash)
  return hash
}

/** Most tasks have the configured policy, which is one value for as long as the process lives. */
const hashes = new WeakMap<Policy, string>()

function hashOf(policy: Policy): string {
  const lists = {
    allow: policy.allow,
    readonly: policy.readonly,
    deny: policy.deny,
    except: policy.except,
    egress: policy.egress,
    upstreams: policy.upstreams,
  }
  const sorted = Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [name, [...new Set(list)].sort()]),
  )
  return sha256(canonicalJson({ ...policy, ...sorted }))
}

function isSoftenable(pattern: string): boolean {
  const name = fold(pattern)
  return softenable.has(name) || /^\.env\.[^/]+$/.test(name)
}

/** A pattern without what does not change its meaning here. */
function bare(pattern: string): string {
  return pattern.replace(/^(?:\*\*\/)+/, '').replace(/\/(?:\*\*)?$/, '')
}

function without(list: readonly string[], removed: readonly string[]): readonly string[] {
  const gone = new Set(removed.map((pattern) => fold(bare(pattern))))
  return list.filter((pattern) => !gone.has(fold(bare(pattern))))
}

function union(first: readonly string[], second: readonly string[]): readonly string[] {
  return [...new Set([...first, ...second])]
}

function defined(limits: PolicyRequest['limits']): Partial<Limits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}
