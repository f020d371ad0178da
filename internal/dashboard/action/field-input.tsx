import { useId } from 'preact/hooks';
import type { Field } from './action.ts';

interface FieldInputProps {
  readonly field: Field;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** A label and what is typed or chosen under it. */
export function FieldInput({ field, value, onInput }: FieldInputProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{field.label}</label>
      <Input id={id} field={field} value={value} onInput={onInput} />
      {field.hint !== undefined && <small id={`${id}-hint`}>{field.hint}</small>}
    </div>
  );
}

function Input({ id, field, value, onInput }: FieldInputProps & { readonly id: string }) {
  const { kind, name, min, max, options = [], isRequired = false } = field;
  const common = { id, name, value, 'aria-describedby': field.hint === undefined ? undefined : `${id}-hint` };
  if (kind === 'choice') {
    return (
      <select {...common} onChange={(event) => onInput(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    );
  }
  if (kind === 'variables') {
    return <textarea {...common} rows={3} spellcheck={false} onInput={(event) => onInput(event.currentTarget.value)} />;
  }
  const list = options.length > 0 ? `${id}-list` : undefined;
  return (
    <>
      <input
        {...common}
        type={kind}
        min={min}
        max={max}
        required={isRequired}
        autoComplete="off"
        list={list}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {list !== undefined && (
        <datalist id={list}>
          {options.map((option) => (
            <option key={option.value} value={option.value} />
          ))}
        </datalist>
      )}
    </>
  );
}
