"""The options of Megatron-LM."""
