/**
 * `Type`, of which TypeScript does not infer `Parameter`: another argument, or the place where the result stands, says
 * what that is. It is what `NoInfer` of TypeScript 5.4 does, for older ones too.
 */
export type InPlace<Type, Parameter> = [Type][Parameter extends unknown ? 0 : never];
