// A browser's process with a profile that outlives it, under the home folder that it is given: closed as a person closes it, or killed.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { mortal } from './mortal.mjs';

export async function run(program, args) {
  const { path, env } = mortal(program);
  const child = spawn(path, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((done) => { child.once('exit', done); });
  const said = [];
  const address = await new Promise((found, failed) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      const [address] = line.match(/(?<=listening on )ws:\S+/) ?? [];
      if (address) found(address);
    });
    ended.then(() => failed(new Error(`${program} ended: ${said.slice(-5).join(' / ')}`)));
  });
  return {
    address,
    ended,
    crash() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}
