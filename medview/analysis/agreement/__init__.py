"""How far labels of one thing go together: two readers, or a model and the truth. Conventions: docs/agreement.md."""
