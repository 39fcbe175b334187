/** The pages of the login journey: translates between HTTP and the journey, decides nothing. */
export { createInteractionRoutes } from './routes.ts';
