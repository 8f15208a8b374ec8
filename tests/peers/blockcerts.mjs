// {"fixture": NAME} gives a certificate that the peer's own tests use: {"document": ...}.
// {"document": DOCUMENT} gives what the peer takes its hash to be: {"hash": HEX}, or why it
// refuses: {"error": TEXT}.
import {answerAll, findDocument} from './offline.mjs';
import {dirname, join} from 'node:path';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'node_modules');
const peer = join(folder, 'jsonld-signatures-merkleproof2019');
const {default: computeLocalHash} = await import(
  join(peer, 'lib/esm/inspectors/computeLocalHash.js'));

await answerAll(async ({fixture, document}) => {
  if(fixture !== undefined) {
    const text = readFileSync(join(peer, 'tests/fixtures', fixture), 'utf8');
    // TypeScript, of which one object literal is wanted.
    const value = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
    return {document: new Function(`return (${value})`)()};
  }
  try {
    return {hash: await computeLocalHash(document, null, async url => findDocument(url))};
  } catch(error) {
    return {error: String(error)};
  }
});
