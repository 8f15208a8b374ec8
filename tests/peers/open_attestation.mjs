// {"wrap": [DATA, ...], "hide": [[PATH, ...], ...]} wraps documents in one tree, and takes
// fields out of each: {"wrapped": [...]}. {"verify": DOCUMENT} gives {"verified": BOOLEAN}.
import {answerAll} from './offline.mjs';
import openAttestation from '@govtechsg/open-attestation';

const {obfuscateDocument, verifySignature, wrapDocuments} = openAttestation;

await answerAll(async ({wrap, hide, verify}) => {
  if(verify !== undefined) {
    return {verified: verifySignature(verify)};
  }
  const wrapped = await wrapDocuments(wrap);
  return {wrapped: wrapped.map((each, n) => hide[n].length > 0 ?
    obfuscateDocument(each, hide[n]) : each)};
});
