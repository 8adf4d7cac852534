export { postgresConfig } from './config.js';
export { connect } from './connection/connect.js';
export { resolveEndpoint } from './connection/endpoint.js';
