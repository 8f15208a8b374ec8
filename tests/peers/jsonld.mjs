// jsonld.js: {"text": a document as JSON text} -> {nquads} in canonical form
import jsonld from 'jsonld';
import {answerAll, findDocument} from './offline.mjs';

async function documentLoader(url) {
  const document = findDocument(url);
  if(document === undefined) {
    throw new Error(`not handed over: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document};
}

await answerAll(async ({text}) => ({
  nquads: await jsonld.canonize(JSON.parse(text), {
    algorithm: 'RDFC-1.0', format: 'application/n-quads', safe: true, documentLoader
  })
}));
