// How pm2 runs the two services. What differs from run to run comes from the environment of the `pm2` command.
const { WEB_PORT, SHOP_PORT, WEB_INSTANCES, SHOP_INSTANCES, VERSION, PATIENT, AS_DOCUMENTED } = process.env;

const AS_IN_THE_DOCUMENTATION = {
  wait_ready: true, // for process.send('ready')
  listen_timeout: 30_000, // as long as it takes, on a busy machine
  kill_timeout: 30_000, // from SIGINT to SIGKILL; the slowest request takes 5 s
};

function app(name, PORT, instances) {
  return {
    name,
    script: 'app.ts',
    cwd: __dirname,
    exec_mode: 'cluster',
    instances: Number(instances),
    env: { PORT, VERSION, PATIENT },
    ...(AS_DOCUMENTED === '1' ? AS_IN_THE_DOCUMENTATION : {}),
  };
}

module.exports = { apps: [app('web', WEB_PORT, WEB_INSTANCES), app('shop', SHOP_PORT, SHOP_INSTANCES)] };
