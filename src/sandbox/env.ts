import type { BoxRequest } from '../domain/box.ts'

const always = {
  HOME: '/home/agent',
  USER: 'agent',
  LOGNAME: 'agent',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  TERM: 'dumb',
  CI: '1',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  GIT_TERMINAL_PROMPT: '0',
  // The private repository may belong to another user than the box has.
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
}

// Without a network, package managers should say so at once and not after minutes of tries.
const offline = { npm_config_offline: 'true', PIP_NO_INDEX: '1' }

// What is installed once is not installed again, so a cache would only fill the home folder.
const online = { PIP_NO_CACHE_DIR: '1' }

/** The whole environment of a box: a fixed list, and what the request adds. Nothing of the host's own is in it. */
export function boxEnv(request: Pick<BoxRequest, 'kind' | 'env'>): Readonly<Record<string, string>> {
  return { ...always, ...(request.kind === 'setup' ? online : offline), ...request.env }
}
