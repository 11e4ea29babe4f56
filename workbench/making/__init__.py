"""How the embedded models and the bundled collages were made, as commands that make them again.

Files:
    base_student.py      trains the base student
    bundle.py            writes the bundled collages: scenes, pictures and balanced questions
    convert_detector.py  converts SSDLite-MobileNetV2 (COCO) to ONNX
    measure_student.py   how well a student sees, and how well it reasons
    paraphrases.py       more wordings for the program writer to learn from
    predicates.py        sentences that a predicate of a knowledge question gives
    program_writer.py    trains the program-writing LoRA
    programs.py          reference programs to learn from
    small_student.py     trains the student for two processor cores, and its gate
    small_words.py       the words that it need not spell
    tfjs_graph.py        reads a TensorFlow.js graph model with NumPy alone
"""
