import { useId } from 'preact/hooks';
import type { Field } from './action.ts';

interface FieldInputProps {
  readonly field: Field;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** A label and what is typed or chosen under it. */
export function FieldInput({ field, value, onInput }: FieldInputProps) {
  return (
    <label class="field">
      <span>{field.label}</span>
      <Input field={field} value={value} onInput={onInput} />
      {field.hint !== undefined && <small>{field.hint}</small>}
    </label>
  );
}

function Input({ field, value, onInput }: FieldInputProps) {
  const { kind, name, min, max, options = [], isRequired = false } = field;
  const id = useId();
  if (kind === 'choice') {
    return (
      <select name={name} value={value} onChange={(event) => onInput(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    );
  }
  if (kind === 'variables') {
    return (
      <textarea
        name={name}
        rows={3}
        spellcheck={false}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    );
  }
  return (
    <>
      <input
        name={name}
        type={kind}
        min={min}
        max={max}
        required={isRequired}
        autoComplete="off"
        list={options.length > 0 ? id : undefined}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {options.length > 0 && (
        <datalist id={id}>
          {options.map((option) => (
            <option key={option.value} value={option.value} />
          ))}
        </datalist>
      )}
    </>
  );
}
