// What went wrong, for the one who runs the application: what it is, and what to do.
import { settings } from './settings.js';

const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_/;

/** `{ title, advice, said }`: two sentences of ours, and one of whoever failed. */
export function explain(error) {
  const causes = [];
  for (let cause = error; cause && causes.length < 10; cause = cause.cause) {
    causes.push(cause);
  }
  const said = causes.at(-1).message;
  return { ...(settingsTrouble(error) ?? networkTrouble(causes) ?? serverTrouble(error, causes)), said };
}

function settingsTrouble(error) {
  if (error.name === 'MissingSettings') {
    return {
      title: 'Settings are missing in the environment',
      advice: `Set ${error.names.join(', ')} in .env.local, as .env.example shows, and start again.`,
    };
  }
}

function networkTrouble(causes) {
  const { TURSO_API_BASEURL: url } = settings();
  const codes = causes.map((cause) => String(cause.code ?? ''));
  if (codes.includes('ECONNREFUSED')) {
    return {
      title: `No server answers at ${url}`,
      advice: 'Start hranad, or correct TURSO_API_BASEURL and start again.',
    };
  }
  if (codes.some((code) => ['ENOTFOUND', 'EAI_AGAIN', 'ERR_INVALID_URL'].includes(code))) {
    return {
      title: `The server of ${url} is not to be found`,
      advice: 'Correct TURSO_API_BASEURL, and start again.',
    };
  }
  if (codes.some((code) => UNTRUSTED.test(code))) {
    return {
      title: `The certificate of ${url} is not trusted`,
      advice: 'Set NODE_EXTRA_CA_CERTS to the ca.pem of the server, and start again.',
    };
  }
}

function serverTrouble(error, causes) {
  const { TURSO_ORG, TURSO_DATABASE_NAME } = settings();
  const says = (pattern) => causes.some((cause) => pattern.test(cause.message));
  if (error.name === 'TursoClientError') {
    if (error.status === 401) {
      return {
        title: 'The token in TURSO_API_TOKEN is not accepted',
        advice: 'Set it to what `turso auth api-tokens mint todos` prints, and start again.',
      };
    }
    if (error.status === 404 && says(/organization/)) {
      return {
        title: `There is no organization ${TURSO_ORG}`,
        advice: 'Set TURSO_ORG to what `turso auth whoami` prints, and start again.',
      };
    }
    if (error.status === 404) {
      return {
        title: `There is no schema database ${TURSO_DATABASE_NAME}`,
        advice: `Create it with \`turso db create ${TURSO_DATABASE_NAME} --type schema\`.`,
      };
    }
  }
  if (says(/unauthorized|HTTP status 401/i)) {
    return {
      title: 'The token in TURSO_GROUP_AUTH_TOKEN is not accepted',
      advice: 'Set it to what `turso group tokens create default` prints, and start again.',
    };
  }
  if (says(/no such table|no such column|no column named/)) {
    return {
      title: `The schema database ${TURSO_DATABASE_NAME} lacks something that todos need`,
      advice: 'Change it with `npm run db:migrate`, or as the message says; all users get the change.',
    };
  }
  return { title: 'The server did not do what it was asked', advice: 'What it said is below.' };
}
