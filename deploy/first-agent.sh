# Who works on the first task, by what is in the environment. Sourced by first-task.sh, after setup.sh.

# choose_agent: sets `agent`, and `model`: a provider's own (provider), a server of the user's (server), a script (scripted),
# or none.
choose_agent() {
  model=provider
  if [ -n "${OPENAI_COMPATIBLE_ORIGIN:-}" ]; then
    agent=pi model=server
    # Said here and written down below: what is secret in it would be too.
    case $OPENAI_COMPATIBLE_ORIGIN in
      *[@?#]*) die 'OPENAI_COMPATIBLE_ORIGIN is more than an address such as http://127.0.0.1:11434. Leave user, password and query out (a key goes into OPENAI_COMPATIBLE_API_KEY), then run this again.' ;;
    esac
    origin=${OPENAI_COMPATIBLE_ORIGIN%/}
    origin=${origin%/v1}
    note "OPENAI_COMPATIBLE_ORIGIN is set: pi, with the model server at $origin"
  elif [ -n "${ANTHROPIC_API_KEY:-}" ]; then
    agent=claude
    note 'ANTHROPIC_API_KEY is set: claude (Claude Code), with a model of Anthropic that this key pays for'
  elif [ -n "${OPENAI_API_KEY:-}" ]; then
    agent=codex
    note 'OPENAI_API_KEY is set: codex, with a model of OpenAI that this key pays for'
  elif [ -n "${GEMINI_API_KEY:-}" ]; then
    agent=gemini
    note 'GEMINI_API_KEY is set: gemini (Gemini CLI), with a model of Google that this key pays for'
  else
    agent=pi model=scripted
    note 'pi, a real agent. No key and no model server is named, so its model is a script here: its answers are written beforehand.'
    note 'For a real one set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or OPENAI_COMPATIBLE_ORIGIN, and run this again.'
  fi
}

# Without its image the first task still shows the loop, but no agent.
need_agent() {
  if need_agents "$agent"; then return; fi
  note "THE AGENT $agent COULD NOT BE BUILT INTO THE IMAGE: see above. Later: cofferdam image build --agents $agent"
  without_agent
}

without_agent() {
  note 'The first task goes on without an agent: a script of the example mends one failing test a step.'
  agent=command model=none
}

# configure_agent: sets `agent_options` for the command line, and COFFERDAM_CONFIG where the model is a server.
configure_agent() {
  if [ "$model" = server ]; then
    name=${OPENAI_COMPATIBLE_MODEL:-$(first_model)} ||
      die "No server names a model at $origin/v1/models: start it, name one in OPENAI_COMPATIBLE_MODEL, or unset OPENAI_COMPATIBLE_ORIGIN. Then run this again."
    configure_server "$name"
  elif [ "$model" = scripted ]; then
    serve_script || die 'The scripted model did not start; see above.'
    configure_server scripted
  fi
  case $model in
    none) agent_options=(--agent command -- python3 tools/fixer.py) ;;
    # More than it needs, and little enough to lose. Also where the model is a script: what is left of an interrupted task
    # goes on under the usual configuration, with a model that costs.
    *) agent_options=(--agent "$agent" --tokens 500000) ;;
  esac
}

# The name of the first model of the server, if it is one that a configuration takes: those of a user's own mostly have one.
first_model() {
  node -e '
    fetch(`${process.argv[1]}/v1/models`, { signal: AbortSignal.timeout(5000) }).then((answer) => answer.json())
      .then((models) => models?.data?.[0]?.id, () => undefined)
      .then((id) => {
        if (typeof id === "string" && /^[A-Za-z0-9][\w.:\/@[\]-]{0,99}$/.test(id)) console.log(id)
        else process.exitCode = 1
      })' "$origin"
}

# Sets `origin`.
serve_script() {
  local tenths
  begin 'scripted model' node "$root/dist/test/support/model/serve.js"
  for tenths in {1..100}; do
    if origin=$(grep -m 1 '^http' "$(log_of 'scripted model')" 2>/dev/null); then return; fi
    kill -0 "${begun['scripted model']}" 2>/dev/null || break
    sleep 0.1
  done
  finish 'scripted model'
}

# configure_server MODEL: the usual configuration for this task alone, with the server at `origin`.
configure_server() {
  local file code=0
  mkdir -p "$logs"
  file=$(node "$root/deploy/first-config.mjs" "$origin" "$1" "$logs") || code=$?
  case $code in
    0) export COFFERDAM_CONFIG=$file ;;
    3)
      note 'ANOTHER PROCESS (such as cofferdam serve) WORKS ON THE DATA FOLDER, WITH A CONFIGURATION WITHOUT THIS MODEL.'
      without_agent
      ;;
    4)
      note 'NO FILE CAN BE WRITTEN BESIDE THE CONFIGURATION, so that this model cannot be added for the task; see above.'
      without_agent
      ;;
    *) die 'The configuration of the first task could not be made; see above.' ;;
  esac
}

say_agent() {
  case $model in
    provider) note "$agent is the real program, in a box without network and key: the gateway outside adds the key. At most 500000 tokens." ;;
    server) note "pi is the real program, in a box without network: the gateway outside asks $origin. The model is $name. At most 500000 tokens." ;;
    scripted)
      note 'pi is the real program, in the real box, and the gateway is real. THE MODEL IS NOT: ITS ANSWERS ARE SCRIPTED.'
      note "The script mends one failing test a step; it is $root/test/support/model/receipts.ts."
      ;;
    none) note 'No agent and no model: a script of the example reads its prompt and mends one failing test a step.' ;;
  esac
}

say_next_agent() {
  case $model in
    provider)
      note 'A repository of your own:'
      note "  cofferdam run --repo PATH --goal TEXT --test CMD --agent $agent"
      ;;
    server)
      note 'A repository of your own, once the "agents" and "upstreams" of this file are in ~/.config/cofferdam/cofferdam.yaml:'
      note "  $COFFERDAM_CONFIG"
      note '  cofferdam run --repo PATH --goal TEXT --test CMD --agent pi'
      ;;
    scripted)
      note 'The model was a script, and knows nothing but this example. A repository of your own, with a real one:'
      note '  cofferdam image build --agents claude'
      note '  ANTHROPIC_API_KEY=... cofferdam run --repo PATH --goal TEXT --test CMD --agent claude'
      ;;
    none)
      note 'A repository of your own:'
      note '  cofferdam run --repo PATH --goal TEXT --test CMD --agent command -- ARGV...'
      ;;
  esac
}
