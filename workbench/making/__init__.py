"""How the embedded models and the bundled collages were made, as commands that make them again.

Files:
    base_student.py        trains the base student
    bundle.py              writes the bundled collages: scenes, pictures and balanced questions
    convert_detector.py    converts SSDLite-MobileNetV2 (COCO) to ONNX
    knowledge_programs.py  reference programs for questions that need knowledge
    measure_student.py     how well a student sees, and how well it reasons
    measure_writer.py      how well a program writer reads questions, with exact tools
    paraphrases.py         more wordings for the program writer to learn from
    predicates.py          sentences that a predicate of a knowledge question gives
    program_habits.py      one person's habits in writing programs: names, prints, steps
    program_writer.py      trains the program-writing LoRA
    programs.py            reference programs to learn from
    small_classifiers.py   what a region shows and what a word means, for the small student
    small_student.py       the small student for two processor cores
    small_words.py         the words that the small student need not spell
    telling.py             what a picture shows, told as rationales tell it
    tfjs_graph.py          reads a TensorFlow.js graph model with NumPy alone
    wordings.py            wordings put together from frames and clauses
"""
