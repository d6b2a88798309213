// How a browser is started that dies with this process, by whatever starts it.
import { fileURLToPath } from 'node:url';

export const mortal = (program) => ({
  path: fileURLToPath(new URL('mortal.sh', import.meta.url)),
  env: { ...process.env, PROGRAM: program },
});
