/** The same in an order of chance. */
export const inSomeOrder = <Each>(all: readonly Each[]): Each[] =>
  all
    .map((each) => ({ each, order: Math.random() }))
    .toSorted((one, other) => one.order - other.order)
    .map(({ each }) => each);
